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

int ctl_check(const char *conf, int argc, char **argv)
{
    struct conf_problems problems = {print_problem, NULL, 0};
    int option;
    optind = 1;
    while ((option = getopt(argc, argv, "c:")) != -1) {
        if (option != 'c')
            return EX_USAGE;
        conf = optarg;
    }
    if (optind < argc)
        conf = argv[optind];
    if (!conf)
        conf = CTL_CONF;
    struct engine *engine = engine_create(conf, &problems);
    if (!engine) {
        fprintf(stderr, "%s: %u %s\n", conf, problems.count, problems.count == 1 ? "problem" : "problems");
        return EX_CONFIG;
    }
    printf("%s: no problem found\n", conf);
    engine_destroy(engine);
    return EX_OK;
}
