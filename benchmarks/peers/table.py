"""The table of a comparison: one line a row, held against its best rival, with what was measured of the others."""


def ratio(result):
    return result["rival"] / result["ours"]


def quantity(value, unit):
    if value is None:
        return ""
    return f"{value:.0f} MiB" if unit == "MiB" else f"{value * 1e3:.4g} ms" if value < 1 else f"{value:.3f} s"


def verdict(row, figure):
    return "pass" if (figure <= row.target if row.at_most else figure >= row.target) else "miss"


def line(row, results):
    """Cells of a row from its results by duel name; what has not been measured stays out."""
    counted = {entry.name: results[entry.name] for entry in row.duels if entry.counts and entry.name in results}
    if not counted:
        return None
    if row.key in ("help", "first-step"):
        (result,) = counted.values()
        sooner = result["rival"] is None or result["ours"] < result["rival"]
        judged = verdict(row, result["ours"]) if sooner else "miss"
        cells = [quantity(result["ours"], "s"), quantity(result["rival"], "s"), "", f"<= {row.target} s", judged, ""]
    elif row.at_most:
        name, result = min(counted.items(), key=lambda item: item[1]["rival"])
        share = result["ours"] / result["rival"]
        cells = [quantity(result["ours"], "MiB"), f"{quantity(result['rival'], 'MiB')} ({name})", f"{share:.2f}x"]
        cells += [f"<= {row.target}x", verdict(row, share), others(row, results, name)]
    else:
        name, result = min(counted.items(), key=lambda item: ratio(item[1]))
        cells = [quantity(result["ours"], "s"), f"{quantity(result['rival'], 's')} ({name})", f"{ratio(result):.2f}x"]
        cells += [f">= {row.target}x", verdict(row, ratio(result)), others(row, results, name)]
    if result["settings"]["steps"] < 20:
        cells[-1] = "; ".join(filter(None, [cells[-1], f"{result['settings']['steps']} steps only"]))
    missing = [entry.name for entry in row.duels if entry.counts and entry.name not in results]
    if missing:
        cells[-1] += f" (not measured: {', '.join(missing)})"
    return [row.what, *cells]


def others(row, results, best):
    rest = [(entry.name, results[entry.name]) for entry in row.duels if entry.name in results and entry.name != best]
    return ", ".join(
        f"{name} {result['ours'] / result['rival'] if row.at_most else ratio(result):.2f}x" for name, result in rest
    )


def settings_line(results):
    used = sorted({tuple(result["settings"].items()) for result in results.values()})
    return "; ".join(", ".join(f"{key} {value}" for key, value in settings) for settings in used)


def table(rows, kept, rivals):
    """Returns the Markdown of all rows that have been measured."""
    by_row = {}
    for key, result in kept["results"].items():
        row_key, _, name = key.partition(":")
        by_row.setdefault(row_key, {})[name] = result
    head = ["what", "ours", "best rival", "ratio", "target", "", "others"]
    lines = [head, ["---"] * len(head)]
    for row in rows:
        cells = line(row, by_row.get(row.key, {}))
        if cells:
            lines.append(cells)
    when = sorted(result["when"] for result in kept["results"].values())
    versions = [kept["version"]] + [rival.version() for rival in rivals if rival.is_there()]
    return "\n".join(
        [
            f"Machine: {kept['machine']}",
            f"Versions: {'; '.join(versions)}",
            f"Measured: {when[0]} to {when[-1]}; {settings_line(kept['results'])}" if when else "Nothing measured.",
            "",
            *("| " + " | ".join(cells) + " |" for cells in lines),
            *program_note(by_row),
        ]
    )


def program_note(by_row):
    """Whether the steps of the duels are those of the program: the median in metrics.jsonl beside them."""
    program = [result["program_step_seconds"] for result in by_row.get("memory", {}).values()]
    trainer = [result["ours"] for result in by_row.get("report-torch", {}).values()]
    if not program or not trainer:
        return []
    return ["", f"A step of `cgan-cli train report`, by its metrics.jsonl: {quantity(min(program), 's')}; in the duels: {quantity(min(trainer), 's')}."]
