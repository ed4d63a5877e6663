# tests/unit/autoreply: the rules, which need neither a store nor an MTA; what stands on a store and a spool; several of them
autoreply_fixture = tests/unit/autoreply/fixture.c tests/unit/autoreply/fixture.h
check_PROGRAMS += \
	tests/unit/autoreply/test_checklist tests/unit/autoreply/test_compose \
	tests/unit/autoreply/test_memory tests/unit/autoreply/test_responder \
	tests/unit/autoreply/test_schedule tests/unit/autoreply/test_silence
tests_unit_autoreply_test_checklist_SOURCES = tests/unit/autoreply/test_checklist.c $(autoreply_fixture)
tests_unit_autoreply_test_compose_SOURCES = tests/unit/autoreply/test_compose.c $(autoreply_fixture)
tests_unit_autoreply_test_memory_SOURCES = tests/unit/autoreply/test_memory.c
tests_unit_autoreply_test_responder_SOURCES = tests/unit/autoreply/test_responder.c
tests_unit_autoreply_test_schedule_SOURCES = tests/unit/autoreply/test_schedule.c
tests_unit_autoreply_test_silence_SOURCES = tests/unit/autoreply/test_silence.c $(autoreply_fixture)
check_PROGRAMS += \
	tests/unit/autoreply/test_answer tests/unit/autoreply/test_answer_machines \
	tests/unit/autoreply/test_caps tests/unit/autoreply/test_checklist_whole \
	tests/unit/autoreply/test_responding
tests_unit_autoreply_test_answer_SOURCES = tests/unit/autoreply/test_answer.c
tests_unit_autoreply_test_answer_machines_SOURCES = tests/unit/autoreply/test_answer_machines.c \
	tests/unit/store/fixture.c tests/unit/store/fixture.h
tests_unit_autoreply_test_caps_SOURCES = tests/unit/autoreply/test_caps.c
tests_unit_autoreply_test_checklist_whole_SOURCES = tests/unit/autoreply/test_checklist_whole.c \
	tests/unit/spool/smtp_server.c tests/unit/spool/smtp_server.h
tests_unit_autoreply_test_responding_SOURCES = tests/unit/autoreply/test_responding.c
