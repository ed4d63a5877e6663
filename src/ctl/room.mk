# ctl/: one file a subcommand of posternctl.
posternctl_SOURCES +=
