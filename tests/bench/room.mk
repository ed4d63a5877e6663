# tests/bench: what contrib/bench measures against. No test, so not in check_PROGRAMS, which are all run.
noinst_PROGRAMS += tests/bench/noop
tests_bench_noop_SOURCES = tests/bench/noop.c
tests_bench_noop_LDADD = $(MILTER_LIBS)
noinst_PROGRAMS += tests/bench/store_bench
tests_bench_store_bench_SOURCES = tests/bench/store_bench.c
tests_bench_store_bench_LDADD = $(POSTERN_LIBS)
noinst_PROGRAMS += tests/bench/alias_bench
tests_bench_alias_bench_SOURCES = tests/bench/alias_bench.c
tests_bench_alias_bench_LDADD = $(POSTERN_LIBS)

# The live tests and what contrib/check, try and bench are made of; none of it is built. Whole folders, so that none is
# forgotten.
EXTRA_DIST += .ci/run contrib docs/adr tests/live
dist-hook:
	find $(distdir)/contrib $(distdir)/tests/live -name __pycache__ -prune -exec rm -rf {} +

noinst_PROGRAMS += tests/bench/source
tests_bench_source_SOURCES = tests/bench/source.c
tests_bench_source_LDADD =

noinst_PROGRAMS += tests/bench/socketmap_bench
tests_bench_socketmap_bench_SOURCES = tests/bench/socketmap_bench.c
tests_bench_socketmap_bench_LDADD = libpostern.a
