# tests/unit/mime
