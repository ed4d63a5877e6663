# tests/unit/dns
