# tests/unit/master: the tree programs drive a real posternd and are its worker as well.
check_PROGRAMS += test_master_parts test_master_spawn test_master_start test_master_reload \
	test_master_handover test_master_notify
test_master_spawn_SOURCES = tests/unit/master/test_master_spawn.c
test_master_parts_SOURCES = tests/unit/master/test_master_parts.c
MASTER_TREE = tests/unit/master/tree.c tests/unit/master/tree.h \
	tests/unit/master/fake_worker.c tests/unit/master/fake_worker.h
MASTER_TREE_CPPFLAGS = $(AM_CPPFLAGS) -DBUILD_DIR='"$(abs_top_builddir)"'
test_master_start_SOURCES = tests/unit/master/test_master_start.c $(MASTER_TREE)
test_master_start_CPPFLAGS = $(MASTER_TREE_CPPFLAGS)
test_master_reload_SOURCES = tests/unit/master/test_master_reload.c $(MASTER_TREE)
test_master_reload_CPPFLAGS = $(MASTER_TREE_CPPFLAGS)
test_master_handover_SOURCES = tests/unit/master/test_master_handover.c $(MASTER_TREE)
test_master_handover_CPPFLAGS = $(MASTER_TREE_CPPFLAGS)
test_master_notify_SOURCES = tests/unit/master/test_master_notify.c $(MASTER_TREE)
test_master_notify_CPPFLAGS = $(MASTER_TREE_CPPFLAGS)
