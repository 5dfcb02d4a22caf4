/*
 * Perseus: energy-saving clock plans for pipeline-parallel training.
 *
 *     measurements → profile ─┐
 *                             ├→ frontier → plan
 *     shape or file → schedule┘        ↓
 *                                operating curve
 *
 * No function prints, exits, reads the environment or keeps global state; different objects may be used from different
 * threads at once.
 */
#ifndef PERSEUS_PERSEUS_H
#define PERSEUS_PERSEUS_H

#include <perseus/allocate.h>
#include <perseus/baseline.h>
#include <perseus/frontier.h>
#include <perseus/operating.h>
#include <perseus/pace.h>
#include <perseus/partition.h>
#include <perseus/plan.h>
#include <perseus/power.h>
#include <perseus/profile.h>
#include <perseus/schedule.h>
#include <perseus/simulate.h>
#include <perseus/status.h>
#include <perseus/version.h>

#endif
