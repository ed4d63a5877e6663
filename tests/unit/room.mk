# tests/unit mirrors src/: each folder lists its programs in its room.mk. They link the library and cmocka.
LDADD = $(POSTERN_LIBS) $(CMOCKA_LIBS)
AM_CPPFLAGS += -I$(top_srcdir)/tests/unit -DTEST_SRCDIR='"$(top_srcdir)"'
EXTRA_DIST += tests/unit/unit.h
include $(top_srcdir)/tests/unit/util/room.mk
include $(top_srcdir)/tests/unit/core/room.mk
include $(top_srcdir)/tests/unit/conf/room.mk
include $(top_srcdir)/tests/unit/dns/room.mk
include $(top_srcdir)/tests/unit/mime/room.mk
include $(top_srcdir)/tests/unit/auth/room.mk
include $(top_srcdir)/tests/unit/store/room.mk
include $(top_srcdir)/tests/unit/aliases/room.mk
include $(top_srcdir)/tests/unit/srs/room.mk
include $(top_srcdir)/tests/unit/autoreply/room.mk
include $(top_srcdir)/tests/unit/spool/room.mk
include $(top_srcdir)/tests/unit/checks/room.mk
include $(top_srcdir)/tests/unit/milter/room.mk
include $(top_srcdir)/tests/unit/master/room.mk
include $(top_srcdir)/tests/unit/ctl/room.mk
