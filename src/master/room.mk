# master/: the process tree. posternd links this room and util/ only.
posternd_SOURCES = src/posternd.c
posternd_LDADD = libpostern.a $(SYSTEMD_LIBS)
