# spool/: the only room that includes <curl/curl.h>; <sqlite3.h> it shares with store/ (and util/sqlite_why).
libpostern_a_SOURCES += \
	src/spool/spool.c src/spool/spool.h \
	src/spool/spool_add.c \
	src/spool/spool_admin.c \
	src/spool/spool_attempt.c src/spool/spool_attempt.h \
	src/spool/spool_batch.c src/spool/spool_batch.h \
	src/spool/spool_content.c src/spool/spool_content.h \
	src/spool/spool_db.c src/spool/spool_db.h \
	src/spool/spool_dots.c src/spool/spool_dots.h \
	src/spool/spool_file.c src/spool/spool_file.h \
	src/spool/spool_keeper.c \
	src/spool/spool_leave.c src/spool/spool_leave.h \
	src/spool/spool_lines.c src/spool/spool_lines.h \
	src/spool/spool_lock.c src/spool/spool_lock.h \
	src/spool/spool_plan.c src/spool/spool_plan.h \
	src/spool/spool_private.h \
	src/spool/spool_reply.c src/spool/spool_reply.h \
	src/spool/spool_rows.c src/spool/spool_rows.h \
	src/spool/spool_rows_add.c \
	src/spool/spool_rows_write.c \
	src/spool/spool_schema.c src/spool/spool_schema.h \
	src/spool/spool_sender.c src/spool/spool_sender.h \
	src/spool/spool_smtp.c src/spool/spool_smtp.h \
	src/spool/spool_stuff.c src/spool/spool_stuff.h \
	src/spool/spool_tell.c src/spool/spool_tell.h \
	src/spool/spool_url.c \
	src/spool/spool_wire.c src/spool/spool_wire.h
