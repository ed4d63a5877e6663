# srs/: sender rewriting, the forward table, the socketmap; libcrypto in the codec and the keys, else libc.
libpostern_a_SOURCES += \
	src/srs/forward_row.c src/srs/forward_row.h \
	src/srs/forwards.c src/srs/forwards.h \
	src/srs/forwards_csv.c src/srs/forwards_csv.h \
	src/srs/socketmap.h \
	src/srs/srs.h \
	src/srs/srs_codec.h \
	src/srs/srs_keys.h
