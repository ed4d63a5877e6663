# auth/: results of SPF, DKIM and DMARC.
libpostern_a_SOURCES += \
	src/auth/auth.h
# Authentication-Results.
libpostern_a_SOURCES += \
	src/auth/auth.c \
	src/auth/authres.h src/auth/authres_parse.c src/auth/authres_read.c src/auth/authres_write.c
# DKIM: dkim_libopendkim.c is the only file that includes <opendkim/dkim.h>.
libpostern_a_SOURCES += \
	src/auth/tag_list.c src/auth/tag_list.h \
	src/auth/signature.c src/auth/signature_key.c src/auth/signature.h \
	src/auth/field_index.c src/auth/field_index.h \
	src/auth/key_cache.c src/auth/key_cache.h \
	src/auth/public_key.c src/auth/public_key.h \
	src/auth/dkim_body.c src/auth/dkim_body.h \
	src/auth/dkim_header.c src/auth/dkim_header.h \
	src/auth/dkim_verify.c src/auth/dkim_verify.h src/auth/dkim_engine.h \
	src/auth/dkim_choose.c src/auth/dkim_keys.c \
	src/auth/dkim_builtin.c src/auth/dkim_libopendkim.c
# SPF: sender_libspf2.c is the only file that includes <spf2/spf.h>.
libpostern_a_SOURCES += \
	src/auth/received.c src/auth/received.h \
	src/auth/sender.c src/auth/sender.h src/auth/sender_eval.h \
	src/auth/sender_builtin.c src/auth/sender_mechanism.c src/auth/sender_walk.h \
	src/auth/sender_libspf2.c \
	src/auth/sender_macro.c src/auth/sender_macro.h \
	src/auth/sender_record.c src/auth/sender_record.h
# DMARC. libpsl serves org_domain = psl.
libpostern_a_SOURCES += \
	src/auth/alignment.c src/auth/alignment.h \
	src/auth/author.c src/auth/author.h src/auth/author_token.c src/auth/author_token.h \
	src/auth/policyeval.c src/auth/policyeval.h \
	src/auth/policyrec.c src/auth/policyrec.h \
	src/auth/treewalk.c src/auth/treewalk.h
