# dns/: the only room that includes <unbound.h>.
libpostern_a_SOURCES += \
	src/dns/answers.c src/dns/answers.h \
	src/dns/backend.h \
	src/dns/dns.c src/dns/dns.h \
	src/dns/fake.c \
	src/dns/rdata.c \
	src/dns/resolver.c
