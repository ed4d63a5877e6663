# tests/bench: what contrib/bench measures against. No test, so not in check_PROGRAMS, which are all run.
noinst_PROGRAMS += tests/bench/noop
tests_bench_noop_SOURCES = tests/bench/noop.c
tests_bench_noop_LDADD = $(MILTER_LIBS)
