/* check - is this configuration sound? The same reading as the daemon's. */
#include "core/engine.h"
#include "ctl/ctl.h"
#include "ctl/options.h"
#include "services.h"
#include <sysexits.h>

static int run(const struct ctl_call *call, void *request)
{
    (void)request;
    struct conf_problems problems = {conf_print_problem, NULL, 0}, warnings = problems;
    const char *path = call->argument_count > 0 ? call->arguments[0] : call->config;
    struct engine *engine = engine_create(path, &problems);
    int status = engine && services_check(engine, &problems, &warnings) == 0 ? EX_OK : EX_CONFIG;
    if (status == EX_OK)
        services_print_checked(path, &warnings);
    else
        fprintf(stderr, "%s: %u %s\n", path, problems.count, problems.count == 1 ? "problem" : "problems");
    engine_destroy(engine);
    return status;
}

static const struct ctl_command command = {
    .name = "check",
    .usage = "usage: posternctl check [-c FILE | FILE]\n"
             "\n"
             "Reads the configuration and reports every problem in it, each with file and line, and what is wrong with\n"
             "the files of store and spool or missing for the sockets, as warnings. Nothing is made or changed.\n"
             "Exit status: 0 no problem, or only warnings; 78 problems.\n",
    .arguments = 1,
    .run = run,
};

int ctl_check(int argc, char **argv)
{
    return ctl_run(&command, NULL, argc, argv);
}
