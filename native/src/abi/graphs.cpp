// Graphs: operator calls that are recorded once and replayed.
#include "abi/context.h"

using namespace cgan;

cgan_status cgan_graph_begin(cgan_context* ctx) {
    return guard(ctx, "graph_begin", [](Context& context) { context.begin_graph(); });
}

cgan_status cgan_graph_end(cgan_context* ctx, cgan_graph** out) {
    return guard(ctx, "graph_end", [&](Context& context) {
        if (out) *out = nullptr;
        cgan_graph* graph = context.end_graph(out != nullptr);
        if (out) *out = graph;
    });
}

cgan_status cgan_graph_launch(cgan_context* ctx, cgan_graph* graph) {
    return guard(ctx, "graph_launch", [&](Context& context) {
        context.count_call();
        context.launch_graph(graph);
    });
}

cgan_status cgan_graph_destroy(cgan_context* ctx, cgan_graph* graph) {
    return guard(ctx, "graph_destroy", [&](Context& context) {
        if (graph) context.destroy_graph(graph);
    });
}
