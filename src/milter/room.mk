# milter/: the only room that includes <libmilter/mfapi.h>.
libpostern_a_SOURCES +=
