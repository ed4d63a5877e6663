# tests/fuzz: libFuzzer targets (clang, --enable-fuzzers --enable-sanitizers). Run: tests/fuzz/fuzz_scan CORPUS
EXTRA_DIST += tests/fuzz/corpus
if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_conf
tests_fuzz_fuzz_conf_SOURCES = tests/fuzz/fuzz_conf.c
tests_fuzz_fuzz_conf_LDADD = $(POSTERN_LIBS)
tests_fuzz_fuzz_conf_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_filename
tests_fuzz_fuzz_filename_SOURCES = tests/fuzz/fuzz_filename.c
tests_fuzz_fuzz_filename_LDADD = $(POSTERN_LIBS)
tests_fuzz_fuzz_filename_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_scan
tests_fuzz_fuzz_scan_SOURCES = tests/fuzz/fuzz_scan.c
tests_fuzz_fuzz_scan_LDADD = $(POSTERN_LIBS)
tests_fuzz_fuzz_scan_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_tnef
tests_fuzz_fuzz_tnef_SOURCES = tests/fuzz/fuzz_tnef.c
tests_fuzz_fuzz_tnef_LDADD = $(POSTERN_LIBS)
tests_fuzz_fuzz_tnef_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
endif
