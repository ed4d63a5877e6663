# tests/unit/milter
