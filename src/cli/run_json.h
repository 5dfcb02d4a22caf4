/* A measured run as JSON; the run document of docs/cli.md. */
#ifndef PERSEUS_CLI_RUN_JSON_H
#define PERSEUS_CLI_RUN_JSON_H

#include "format/json_writer.h"
#include "meter/run.h"

#include <perseus/device.h>

/*
 * Writes the members of the run document into the object that is open, `version` first. What was not measured, or is
 * not known, is null, with a `reason` beside it.
 */
void perseus__run_json(struct perseus__json *json, const struct perseus__run *run);

/* Writes the results of a run as a member "results", on one line. */
void perseus__results_json(struct perseus__json *json, const struct perseus__run *run);

/* Writes what tells a device: kind, index, name, uuid, backend, simulated. */
void perseus__device_json(struct perseus__json *json, const struct perseus_device_info *info);

#endif
