/*
 * The handlers of the job server's routes, by file. Each answers an exchange whose access and keys of the query are in
 * order; how it is finished is said by the mode of its route (api_route.h).
 */
#ifndef PERSEUS_SERVER_HANDLERS_H
#define PERSEUS_SERVER_HANDLERS_H

#include "server/api.h"

typedef void perseus__api_handler(struct perseus__api *api, struct perseus__exchange *exchange);

/* pages.c: of the server itself */
perseus__api_handler perseus__serve_health;
perseus__api_handler perseus__serve_info;
perseus__api_handler perseus__serve_openapi;
perseus__api_handler perseus__serve_version;

/* metrics_page.c */
perseus__api_handler perseus__serve_metrics;

/* event_routes.c */
perseus__api_handler perseus__serve_events;
perseus__api_handler perseus__serve_job_events;

/* job_routes.c */
perseus__api_handler perseus__serve_jobs;
perseus__api_handler perseus__serve_job_new;
perseus__api_handler perseus__serve_job;
perseus__api_handler perseus__serve_job_end;
perseus__api_handler perseus__serve_rank_new;
perseus__api_handler perseus__serve_rank_plan;
perseus__api_handler perseus__serve_rank_steps;
perseus__api_handler perseus__serve_stragglers;
perseus__api_handler perseus__serve_straggler_new;
perseus__api_handler perseus__serve_target_new;
perseus__api_handler perseus__serve_frontier;
perseus__api_handler perseus__serve_profile;
perseus__api_handler perseus__serve_profile_new;
perseus__api_handler perseus__serve_plan;
perseus__api_handler perseus__serve_plans;
perseus__api_handler perseus__serve_reports;

/* zeus_routes.c: those of Zeus's pipeline frequency server */
perseus__api_handler perseus__serve_zeus_job;
perseus__api_handler perseus__serve_zeus_rank;
perseus__api_handler perseus__serve_zeus_schedule;
perseus__api_handler perseus__serve_zeus_result;

#endif
