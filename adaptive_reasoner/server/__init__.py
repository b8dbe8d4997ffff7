"""The OpenAI-compatible server (extra `server`).

A request's way: `routes/` reads it by `wire/`, `running` asks a graph, `wire/` writes the answer. What lives as long as
the server stands in `parts.AppParts`, which `app.create_app` builds when the server starts.

Seams for the rooms beside these:

- a setting: one section class in a room's own file, named in `config.sections`; it is then read from the file and from
  `ADAPTIVE_REASONER_<SECTION>_<FIELD>`, and found at `settings.section(ThatClass)`;
- something that must be opened and closed: an `Opening` (an async context manager over `AppParts`) named in
  `openings.OPENINGS`; what it keeps it puts under its own name by `parts.add(thing)` and finds by `parts.get(Type)`;
- who is asking: `caller.caller_of(request)`; whoever checks keys sets `request.state.caller` before the routes run;
- a route: one file in `routes/`, its `router` named in `routes.ROUTERS`;
- before and after each run of a graph (limits, fallbacks, counting): a `running.Around` in `parts.runner.around`;
- answers that wait for a person: `parts.runner.on_waiting`;
- whether the server can serve: `parts.readiness["name"] = async function that gives None or what is wrong`;
- middlewares: pure ASGI ones, named in `app.MIDDLEWARES`, outermost first.
"""
