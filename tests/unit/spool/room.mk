# tests/unit/spool
check_PROGRAMS += tests/unit/spool/test_spool_reply
tests_unit_spool_test_spool_reply_SOURCES = tests/unit/spool/test_spool_reply.c
check_PROGRAMS += tests/unit/spool/test_spool_send
tests_unit_spool_test_spool_send_SOURCES = tests/unit/spool/test_spool_send.c \
	tests/unit/spool/smtp_server.c tests/unit/spool/smtp_server.h tests/unit/spool/workbench.h
check_PROGRAMS += tests/unit/spool/test_spool_queue
tests_unit_spool_test_spool_queue_SOURCES = tests/unit/spool/test_spool_queue.c \
	tests/unit/spool/smtp_server.c tests/unit/spool/smtp_server.h tests/unit/spool/workbench.h
check_PROGRAMS += tests/unit/spool/test_spool_crash
tests_unit_spool_test_spool_crash_SOURCES = tests/unit/spool/test_spool_crash.c \
	tests/unit/spool/smtp_server.c tests/unit/spool/smtp_server.h tests/unit/spool/workbench.h
check_PROGRAMS += tests/unit/spool/test_spool_after
tests_unit_spool_test_spool_after_SOURCES = tests/unit/spool/test_spool_after.c \
	tests/unit/spool/smtp_server.c tests/unit/spool/smtp_server.h tests/unit/spool/workbench.h
check_PROGRAMS += tests/unit/spool/test_spool_copies
tests_unit_spool_test_spool_copies_SOURCES = tests/unit/spool/test_spool_copies.c \
	tests/unit/spool/smtp_server.c tests/unit/spool/smtp_server.h tests/unit/spool/workbench.h
check_PROGRAMS += tests/unit/spool/test_spool_together
tests_unit_spool_test_spool_together_SOURCES = tests/unit/spool/test_spool_together.c \
	tests/unit/spool/smtp_server.c tests/unit/spool/smtp_server.h tests/unit/spool/workbench.h
check_PROGRAMS += tests/unit/spool/test_spool_sync
tests_unit_spool_test_spool_sync_SOURCES = tests/unit/spool/test_spool_sync.c \
	tests/unit/spool/smtp_server.c tests/unit/spool/smtp_server.h tests/unit/spool/workbench.h
check_PROGRAMS += tests/unit/spool/test_spool_lost
tests_unit_spool_test_spool_lost_SOURCES = tests/unit/spool/test_spool_lost.c \
	tests/unit/spool/smtp_server.c tests/unit/spool/smtp_server.h tests/unit/spool/workbench.h
