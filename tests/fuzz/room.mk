# tests/fuzz: libFuzzer targets (clang, --enable-fuzzers --enable-sanitizers). Run: tests/fuzz/fuzz_scan CORPUS
# A target is its name here and a file NAME.c.
FUZZ_TARGETS = \
	tests/fuzz/fuzz_aliases \
	tests/fuzz/fuzz_authres \
	tests/fuzz/fuzz_conf \
	tests/fuzz/fuzz_dkim \
	tests/fuzz/fuzz_dmarc_record \
	tests/fuzz/fuzz_filename \
	tests/fuzz/fuzz_forwards \
	tests/fuzz/fuzz_from \
	tests/fuzz/fuzz_responder \
	tests/fuzz/fuzz_scan \
	tests/fuzz/fuzz_silence \
	tests/fuzz/fuzz_socketmap \
	tests/fuzz/fuzz_spf \
	tests/fuzz/fuzz_spool_reply \
	tests/fuzz/fuzz_srs \
	tests/fuzz/fuzz_tnef
EXTRA_DIST += tests/fuzz/corpus
if FUZZERS
noinst_PROGRAMS += $(FUZZ_TARGETS)
$(FUZZ_TARGETS): AM_LDFLAGS += -fsanitize=fuzzer
endif
