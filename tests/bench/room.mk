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

# The live tests and what contrib/check, try and bench are made of; none of it is built.
EXTRA_DIST += \
	.ci/run contrib/bench contrib/bench.py contrib/bench_aliases.py contrib/bench_auth.py contrib/bench_forward.py \
	contrib/bench_replies.py contrib/bench_rivals.py contrib/bench_socketmap.py contrib/bench_store.py contrib/build \
	contrib/check contrib/install-packages contrib/packages \
	contrib/try contrib/try.py \
	tests/live/attachment_table.py tests/live/conftest.py tests/live/load.py tests/live/tsan.supp \
	tests/live/test_attachments.py tests/live/test_auth.py tests/live/test_autoreply.py tests/live/test_chain.py tests/live/test_dkim.py \
	tests/live/test_dmarc.py tests/live/test_explain.py tests/live/test_forwards.py tests/live/test_helo.py tests/live/test_input.py \
	tests/live/test_machine.py tests/live/test_process.py tests/live/test_protocol.py tests/live/test_recipients.py \
	tests/live/test_rspamd.py tests/live/test_socketmap.py \
	tests/live/test_spf_suite.py tests/live/spf_cases.yml tests/live/test_two_mtas.py \
	tests/live/harness/__init__.py tests/live/harness/archives.py tests/live/harness/dns.py \
	tests/live/harness/mails.py tests/live/harness/milter.py tests/live/harness/netns.py tests/live/harness/opendkim.py \
	tests/live/harness/postfix.py tests/live/harness/posternd.py tests/live/harness/redis.py tests/live/harness/sasl.py \
	tests/live/harness/rspamd.py tests/live/harness/sendmail.py tests/live/harness/sink.py tests/live/harness/smtp.py \
	tests/live/harness/tools.py tests/live/harness/zones.py

noinst_PROGRAMS += tests/bench/source
tests_bench_source_SOURCES = tests/bench/source.c
tests_bench_source_LDADD =

noinst_PROGRAMS += tests/bench/socketmap_bench
tests_bench_socketmap_bench_SOURCES = tests/bench/socketmap_bench.c
tests_bench_socketmap_bench_LDADD = libpostern.a
