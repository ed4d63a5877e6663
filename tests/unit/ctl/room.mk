# tests/unit/ctl
