/* check - is this configuration sound? The same reading as the daemon's. */
#include "core/engine.h"
#include "ctl/ctl.h"
#include <getopt.h>
#include <sysexits.h>

static void print_problem(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "%s\n", text);
}

int ctl_check(int argc, char **argv)
{
    const char *conf = CTL_CONF;
    struct conf_problems problems = {print_problem, NULL, 0};
    static const struct option longs[] = {{"help", 0, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
        if (option != 'c') {
            fputs("usage: posternctl check [-c FILE]\n\nReads the configuration and reports every problem in it, each "
                  "with file and line.\nExit status: 0 no problem; 78 problems.\n",
                  option == 'h' ? stdout : stderr);
            return option == 'h' ? EX_OK : EX_USAGE;
        }
        conf = optarg;
    }
    if (optind < argc)
        conf = argv[optind];
    struct engine *engine = engine_create(conf, &problems);
    if (!engine || engine_check_directory(engine, &problems) != 0) {
        fprintf(stderr, "%s: %u %s\n", conf, problems.count, problems.count == 1 ? "problem" : "problems");
        engine_destroy(engine);
        return EX_CONFIG;
    }
    printf("%s: no problem found\n", conf);
    engine_destroy(engine);
    return EX_OK;
}
