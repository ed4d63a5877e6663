# srs/: sender rewriting, the forward table, the socketmap; libcrypto in the codec and the keys, else libc.
libpostern_a_SOURCES += \
	src/srs/dispatch.h \
	src/srs/forwarding.h \
	src/srs/forwards.h \
	src/srs/routes.h \
	src/srs/socketmap.h \
	src/srs/srs.h \
	src/srs/srs_codec.h \
	src/srs/srs_keys.h
