# store/: the only room that includes <sqlite3.h> and <hiredis/hiredis.h> for state that machines share.
libpostern_a_SOURCES += \
	src/store/backend.h \
	src/store/store.c src/store/store.h \
	src/store/store_file.c src/store/store_file.h \
	src/store/store_pool.c src/store/store_pool.h \
	src/store/store_redis.c \
	src/store/store_schema.c src/store/store_schema.h \
	src/store/store_sqlite.c src/store/store_sqlite.h \
	src/store/store_sqlite_conn.c \
	src/store/store_url.c src/store/store_url.h
