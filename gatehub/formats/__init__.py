"""How dates are written where a template names no format, by language: see `FORMAT_MODULE_PATH`."""
