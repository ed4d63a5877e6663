# dns/: the only room that includes <unbound.h>.
libpostern_a_SOURCES += \
	src/dns/dns.h
