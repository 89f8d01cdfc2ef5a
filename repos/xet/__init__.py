"""The formats of Xet uploads: what Hub clients from 1.20 on send instead of the file.

Only the writing half, as `hub-protocol.md` section 6.6 describes it: xorbs (chunks, compressed) and shards (which
chunks make which file) come in, whole objects come out in `repos.objects`.
"""
