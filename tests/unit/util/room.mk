# tests/unit/util
