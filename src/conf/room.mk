# conf/: the only room that includes <confuse.h>.
libpostern_a_SOURCES += \
	src/conf/conf.h
