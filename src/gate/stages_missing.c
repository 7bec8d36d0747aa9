/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stages that are not built yet answer "unknown", so that nobody takes them for passed.
 */
#include "gate/stage.h"

#ifdef STAGE_MISSING_contract
int stage_contract(struct stage_context *context, struct stage_result *result)
{
        (void)context;
        stage_unknown(result, "this stage is not built yet");
        return 0;
}
#endif

#ifdef STAGE_MISSING_interface
int stage_interface(struct stage_context *context, struct stage_result *result)
{
        (void)context;
        stage_unknown(result, "this stage is not built yet");
        return 0;
}
#endif

#ifdef STAGE_MISSING_build
int stage_build(struct stage_context *context, struct stage_result *result)
{
        (void)context;
        stage_unknown(result, "this stage is not built yet");
        return 0;
}
#endif

#ifdef STAGE_MISSING_unit
int stage_unit(struct stage_context *context, struct stage_result *result)
{
        (void)context;
        stage_unknown(result, "this stage is not built yet");
        return 0;
}
#endif

#ifdef STAGE_MISSING_bench
int stage_bench(struct stage_context *context, struct stage_result *result)
{
        (void)context;
        stage_unknown(result, "this stage is not built yet");
        return 0;
}
#endif

#ifdef STAGE_MISSING_stress
int stage_stress(struct stage_context *context, struct stage_result *result)
{
        (void)context;
        stage_unknown(result, "this stage is not built yet");
        return 0;
}
#endif

#ifdef STAGE_MISSING_observe
int stage_observe(struct stage_context *context, struct stage_result *result)
{
        (void)context;
        stage_unknown(result, "this stage is not built yet");
        return 0;
}
#endif
