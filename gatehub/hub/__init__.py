"""The Hub protocol: what the Hub clients, git and git-lfs talk to.

Views look things up through `access.selectors`, which asks the policy; call a service; and answer.
"""
