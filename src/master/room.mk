# master/: the process tree. posternd links this room and util/ only.
libpostern_a_SOURCES += \
	src/master/control.c src/master/control.h \
	src/master/daemon.c src/master/daemon.h \
	src/master/endpoint.c src/master/endpoint.h \
	src/master/fleet.c src/master/fleet.h \
	src/master/link.c src/master/link.h \
	src/master/listen.c src/master/listen.h \
	src/master/loop.c src/master/loop.h \
	src/master/master.c src/master/master.h \
	src/master/notify.c src/master/notify.h \
	src/master/pidfile.c src/master/pidfile.h \
	src/master/probe.c src/master/probe.h \
	src/master/reload.c src/master/reload.h \
	src/master/setup.c src/master/setup.h \
	src/master/spawn.c src/master/spawn.h \
	src/master/status.c src/master/status.h \
	src/master/tally.c src/master/tally.h \
	src/master/user.c src/master/user.h \
	src/master/worker.c src/master/worker.h
posternd_SOURCES = src/posternd.c
posternd_LDADD = libpostern.a $(SYSTEMD_LIBS)
dist_man8_MANS = docs/man/posternd.8 docs/man/posternctl.8
EXTRA_DIST += docs/adr contrib/systemd/postern.service
