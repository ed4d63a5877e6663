# aliases/: the MTA's alias tables as text; libc only, but for what util/domain needs.
libpostern_a_SOURCES += \
	src/aliases/alias_address.c src/aliases/alias_address.h \
	src/aliases/alias_csv.c \
	src/aliases/alias_entry.c \
	src/aliases/alias_expand.c \
	src/aliases/alias_local.c \
	src/aliases/alias_lookup.c src/aliases/alias_lookup.h \
	src/aliases/alias_reader.c src/aliases/alias_reader.h \
	src/aliases/alias_set.c src/aliases/alias_set.h \
	src/aliases/alias_table.c src/aliases/alias_table.h \
	src/aliases/alias_virtual.c \
	src/aliases/alias_watch.c \
	src/aliases/aliases.c src/aliases/aliases.h
