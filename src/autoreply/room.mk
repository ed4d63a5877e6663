# autoreply/: pure logic; GLib (time zones, characters), cJSON and libcrypto's SHA-256 are what it touches.
libpostern_a_SOURCES += \
	src/autoreply/addr_spec.c src/autoreply/addr_spec.h \
	src/autoreply/address_list.c src/autoreply/address_list.h \
	src/autoreply/compose.c src/autoreply/compose.h \
	src/autoreply/compose_header.c src/autoreply/compose_private.h \
	src/autoreply/digest.c src/autoreply/digest.h \
	src/autoreply/header_text.c src/autoreply/header_text.h \
	src/autoreply/mail_text.c src/autoreply/mail_text.h src/autoreply/mail_text_body.c \
	src/autoreply/memory.c src/autoreply/memory.h src/autoreply/memory_sender.c \
	src/autoreply/responder.c src/autoreply/responder.h src/autoreply/responder_private.h \
	src/autoreply/responder_json.c src/autoreply/responder_verify.c \
	src/autoreply/schedule.c src/autoreply/schedule.h \
	src/autoreply/silence.c src/autoreply/silence.h src/autoreply/silence_private.h \
	src/autoreply/silence_auth.c src/autoreply/silence_headers.c \
	src/autoreply/zone.c src/autoreply/zone.h
# What carries the rules out, on store, spool and aliases.
libpostern_a_SOURCES += \
	src/autoreply/answer.c src/autoreply/answer.h src/autoreply/answer_spooled.c \
	src/autoreply/caps.c src/autoreply/caps.h \
	src/autoreply/responding.c src/autoreply/responding.h
