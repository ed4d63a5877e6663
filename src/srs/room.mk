# srs/: sender rewriting, the forward table, the socketmap; libcrypto in the codec and the keys, else libc.
libpostern_a_SOURCES += \
	src/srs/copies.c src/srs/copies.h \
	src/srs/dispatch.c src/srs/dispatch.h \
	src/srs/forwarding.c src/srs/forwarding.h \
	src/srs/nondelivery.c src/srs/nondelivery.h \
	src/srs/routes.c src/srs/routes.h \
	src/srs/trace.c src/srs/trace.h \
	src/srs/travel.c src/srs/travel.h
# the forward table
libpostern_a_SOURCES += \
	src/srs/forward_row.c src/srs/forward_row.h \
	src/srs/forwards.c src/srs/forwards.h \
	src/srs/forwards_csv.c src/srs/forwards_csv.h
# the codec, its keys, the token
libpostern_a_SOURCES += \
	src/srs/srs.c src/srs/srs.h \
	src/srs/srs_address.c src/srs/srs_address.h \
	src/srs/srs_codec.c src/srs/srs_codec.h \
	src/srs/srs_hash.c src/srs/srs_hash.h \
	src/srs/srs_keys.c src/srs/srs_keys.h \
	src/srs/srs_keys_file.c src/srs/srs_keys_file.h
# the socketmap
libpostern_a_SOURCES += \
	src/srs/socketmap.c src/srs/socketmap.h \
	src/srs/socketmap_client.c src/srs/socketmap_client.h \
	src/srs/socketmap_lookup.c src/srs/socketmap_lookup.h \
	src/srs/socketmap_wire.c src/srs/socketmap_wire.h
EXTRA_DIST += contrib/postfix/srs-local.cf
