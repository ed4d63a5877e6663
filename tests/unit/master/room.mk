# tests/unit/master
