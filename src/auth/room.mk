# auth/: results of SPF, DKIM and DMARC.
libpostern_a_SOURCES += \
	src/auth/auth.h
