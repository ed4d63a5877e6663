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
noinst_PROGRAMS += tests/fuzz/fuzz_spf
tests_fuzz_fuzz_spf_SOURCES = tests/fuzz/fuzz_spf.c
tests_fuzz_fuzz_spf_LDADD = $(POSTERN_LIBS)
tests_fuzz_fuzz_spf_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_authres
tests_fuzz_fuzz_authres_SOURCES = tests/fuzz/fuzz_authres.c
tests_fuzz_fuzz_authres_LDADD = $(POSTERN_LIBS)
tests_fuzz_fuzz_authres_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_dkim
tests_fuzz_fuzz_dkim_SOURCES = tests/fuzz/fuzz_dkim.c
tests_fuzz_fuzz_dkim_LDADD = $(POSTERN_LIBS)
tests_fuzz_fuzz_dkim_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_from
tests_fuzz_fuzz_from_SOURCES = tests/fuzz/fuzz_from.c
tests_fuzz_fuzz_from_LDADD = $(POSTERN_LIBS)
tests_fuzz_fuzz_from_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_dmarc_record
tests_fuzz_fuzz_dmarc_record_SOURCES = tests/fuzz/fuzz_dmarc_record.c
tests_fuzz_fuzz_dmarc_record_LDADD = $(POSTERN_LIBS)
tests_fuzz_fuzz_dmarc_record_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_responder
tests_fuzz_fuzz_responder_SOURCES = tests/fuzz/fuzz_responder.c
tests_fuzz_fuzz_responder_LDADD = $(POSTERN_LIBS)
tests_fuzz_fuzz_responder_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_silence
tests_fuzz_fuzz_silence_SOURCES = tests/fuzz/fuzz_silence.c
tests_fuzz_fuzz_silence_LDADD = $(POSTERN_LIBS)
tests_fuzz_fuzz_silence_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
endif
