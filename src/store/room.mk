# store/: two back ends, one with SQLite, one with hiredis and libssl.
libpostern_a_SOURCES += \
	src/store/backend.h \
	src/store/store.c src/store/store.h \
	src/store/store_file.c src/store/store_file.h \
	src/store/store_link.c src/store/store_link.h \
	src/store/store_pool.c src/store/store_pool.h \
	src/store/store_redis.c src/store/store_redis.h \
	src/store/store_redis_each.c \
	src/store/store_redis_pool.c \
	src/store/store_resolve.c src/store/store_resolve.h \
	src/store/store_schema.c src/store/store_schema.h \
	src/store/store_secret.c src/store/store_secret.h \
	src/store/store_sqlite.c src/store/store_sqlite.h \
	src/store/store_sqlite_conn.c \
	src/store/store_sqlite_each.c \
	src/store/store_sqlite_open.c \
	src/store/store_tls.c src/store/store_tls.h \
	src/store/store_url.c src/store/store_url.h
