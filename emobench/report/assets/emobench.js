// Sorting, filters, another score, and what a cell holds; the view is kept in the address.
// Without this file every table is there, in its usual order.
"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const block = document.getElementById("data");
  const data = block ? JSON.parse(block.textContent) : {};
  const form = document.getElementById("filters");
  const permalink = document.getElementById("permalink");

  // What is the same in a whole column or row of the leaderboard is told once, in its heading.
  for (const table of all("table.board")) {
    const corpora = all("thead tr:last-child th", table).map((head) => head.dataset.corpus);
    for (const cell of all("tbody tr:not(.paper) td", table)) {
      cell.dataset.corpus = corpora[cell.cellIndex];
      if (cell.parentNode.dataset.run) cell.classList.add("cell");
    }
  }

  // The view: what the form holds, and how tables are sorted; "#metric=wa&sort=board-losgo:2:down".
  const view = () => {
    const text = location.hash.slice(1);
    return new URLSearchParams(text.includes("=") ? text : "");
  };
  const keep = (state) => {
    const text = state.toString();
    history.replaceState(null, "", text ? `#${text}` : `${location.pathname}${location.search}`);
    if (permalink) permalink.href = text ? `#${text}` : "#";
  };

  // Sorting: a button in each heading; rows stay in their group.
  const valueOf = (cell, kind) => {
    if (!cell) return kind === "number" ? NaN : "";
    const text = cell.dataset.value ?? cell.textContent.trim();
    return kind === "number" ? parseFloat(text.replace(/,/g, "")) : text;
  };
  const sort = (table, column, direction) => {
    const heads = all("thead tr:last-child th", table);
    const head = heads[column];
    if (!head) return;
    const sign = direction === "down" ? -1 : 1;
    const kind = head.dataset.sort;
    for (const body of all("tbody:not(.beside)", table)) {
      const fixed = all("tr.paper", body);
      const rows = all("tr:not(.paper)", body).map((row) => [valueOf(row.cells[column], kind), row]);
      rows.sort(([a], [b]) => {
        if (kind !== "number") return sign * String(a).localeCompare(String(b), "en", { numeric: true });
        if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
        return sign * (a - b);
      });
      body.append(...fixed, ...rows.map(([, row]) => row));
    }
    heads.forEach((one) => one.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", sign < 0 ? "descending" : "ascending");
  };
  for (const table of all("table.sortable")) {
    all("thead tr:last-child th", table).forEach((head, column) => {
      if (!head.dataset.sort) return;
      const button = document.createElement("button");
      button.type = "button";
      const link = head.querySelector("a");
      if (link) {
        button.setAttribute("aria-label", `Sort by ${link.textContent}`);
        head.append(" ", button);
      } else {
        button.append(...head.childNodes);
        head.append(button);
      }
      button.addEventListener("click", () => {
        const first = head.dataset.sort === "number" ? "descending" : "ascending";
        const now = head.getAttribute("aria-sort");
        const down = now ? now === "ascending" : first === "descending";
        const state = view();
        state.set("sort", `${table.id}:${column}:${down ? "down" : "up"}`);
        keep(state);
        sort(table, column, down ? "down" : "up");
      });
    });
  }

  // Filters: what has data-<name> is shown if it holds the value that was chosen.
  const filter = (state) => {
    for (const name of ["corpus", "paper", "input", "protocol", "run", "verdict"]) {
      const wanted = state.get(name);
      for (const one of all(`main [data-${name}]`)) {
        const held = one.dataset[name].split(" ");
        one.classList.toggle(`not-${name}`, Boolean(wanted) && !held.includes(wanted));
      }
    }
    const complete = state.get("complete");
    for (const cell of all("[data-complete=no]")) cell.classList.toggle("veiled", Boolean(complete));
    const hidden = ["corpus", "paper", "input", "protocol", "run", "verdict"].map((name) => `not-${name}`);
    for (const one of all("[class*=not-], .gone")) {
      one.classList.toggle("gone", hidden.some((name) => one.classList.contains(name)));
    }
    for (const body of all("tbody[data-paper]")) {
      const left = all("tr:not(.paper):not(.gone)", body).length;
      body.classList.toggle("gone", !left || body.classList.contains("not-paper"));
    }
    const counted = document.getElementById("counted");
    if (counted) counted.textContent = `${all("tr[data-verdict]:not(.gone)").length} numbers are shown.`;
  };

  // Another score: figures, the best of a corpus and published values, as the page's data has them.
  // A cell is told in few signs: figures, facts, of which scores it is the best, what is published,
  // notes; each may be missing at the end.
  const of = (link) => {
    const path = link.getAttribute("href").slice(0, -".html".length).split("/");
    const [protocol, corpus, model] = path.slice(-3);
    const board = data.boards[protocol];
    const told = board?.cells[model]?.[board.corpora.indexOf(corpus)];
    if (!told) return undefined;
    const [scores, facts, best = "", printed = [], notes = []] = told;
    return {
      figures: scores.split(" ").map((one) => one.split("±")),
      facts: facts.split("|"),
      best: [...best].map(Number),
      published: Object.fromEntries(printed.map(([place, value, reproduced, by]) =>
        [data.metrics[place], [value, Boolean(reproduced), data.protocols[by]]])),
      notes: notes.map((number) => data.notes[number]),
    };
  };
  const small = (words) => {
    const element = document.createElement("small");
    element.textContent = words;
    return element;
  };
  const score = (name) => {
    const place = data.metrics.indexOf(name);
    if (place < 0) return;
    const option = form.elements.metric.options[place];
    for (const title of all(".metric-title")) title.textContent = option.dataset.title;
    for (const link of all(".cell > a")) {
      const held = of(link);
      const cell = link.closest("td");
      const [own, deviation] = held.figures[place];
      link.querySelector("b").textContent = own;
      link.querySelector("small")?.remove();
      if (deviation) link.append(small(` ± ${deviation}`));
      cell.classList.toggle("best", held.best.includes(place));
      cell.querySelector("div").classList.toggle("gone", name !== "uar");
      all(":scope > small", cell).forEach((one) => one.remove());
      const printed = held.published[name];
      if (printed) {
        const beside = small(`publ. ${printed[0]} `);
        if (printed[1]) {
          const mark = document.createElement("span");
          mark.className = "ok";
          mark.textContent = "✓";
          mark.title = "counts as reproduced";
          beside.append(mark);
        }
        cell.append(beside);
      }
    }
    // Where nothing was run there is what was published of the first score.
    const first = form.elements.metric.selectedIndex === 0;
    for (const one of all(".cell > small:only-child")) one.classList.toggle("gone", !first);
  };

  const apply = () => {
    const state = view();
    if (form) {
      for (const field of form.elements) {
        if (!field.name) continue;
        if (field.type === "checkbox") field.checked = state.get(field.name) === field.value;
        else field.value = state.get(field.name) ?? field.options[0].value;
      }
      if (form.elements.metric) score(form.elements.metric.value);
      filter(state);
    }
    const [id, column, direction] = (state.get("sort") ?? "").split(":");
    const table = id && document.getElementById(id);
    if (table && table.matches("table.sortable")) sort(table, Number(column), direction);
    if (permalink) permalink.href = location.hash || "#";
  };
  if (form) {
    form.hidden = false;
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("change", () => {
      const state = new URLSearchParams();
      for (const field of form.elements) {
        if (!field.name) continue;
        const first = field.type === "checkbox" ? !field.checked : field.selectedIndex === 0;
        if (!first) state.set(field.name, field.value);
      }
      const sorted = view().get("sort");
      if (sorted) state.set("sort", sorted);
      keep(state);
      apply();
    });
    form.addEventListener("reset", (event) => {
      event.preventDefault();
      keep(new URLSearchParams());
      apply();
    });
  }
  addEventListener("hashchange", apply);
  apply();

  // What a cell holds: shown on hover and on focus; a tap shows it first and follows it then.
  const tip = document.getElementById("tip");
  if (!tip) return;
  let touched = null;
  const pair = (list, name, words) => {
    const term = document.createElement("dt");
    const told = document.createElement("dd");
    term.textContent = name;
    told.textContent = words;
    list.append(term, told);
  };
  const show = (link) => {
    const held = of(link);
    if (!held) return;
    const head = document.createElement("h4");
    const place = all("td, th", link.closest("tr")).indexOf(link.closest("td"));
    const corpus = all("thead th", link.closest("table"))[place].querySelector("a");
    const model = link.closest("tr").querySelector("th");
    head.textContent = `${model.textContent} on ${corpus.textContent}`;
    const list = document.createElement("dl");
    data.metrics.forEach((name, number) => {
      const [own, deviation] = held.figures[number];
      const printed = held.published[name];
      const beside = printed ? `, publ. ${printed[0]} (${printed[2]})` : "";
      const title = form.elements.metric.options[number].textContent;
      pair(list, title, own + (deviation ? ` ± ${deviation}` : "") + beside);
    });
    data.facts.forEach((name, number) => held.facts[number] && pair(list, name, held.facts[number]));
    for (const words of held.notes) pair(list, "note", words);
    tip.replaceChildren(head, list);
    tip.hidden = false;
    const box = link.getBoundingClientRect();
    const below = box.bottom + tip.offsetHeight + 12 < innerHeight;
    const left = Math.min(box.left, document.documentElement.clientWidth - tip.offsetWidth - 8);
    tip.style.left = `${Math.max(8, left) + scrollX}px`;
    tip.style.top = `${(below ? box.bottom + 8 : box.top - tip.offsetHeight - 8) + scrollY}px`;
    link.setAttribute("aria-describedby", "tip");
  };
  const hide = () => {
    tip.hidden = true;
    for (const link of all("[aria-describedby=tip]")) link.removeAttribute("aria-describedby");
  };
  for (const link of all(".cell > a")) {
    link.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && show(link));
    link.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && hide());
    link.addEventListener("focus", () => show(link));
    link.addEventListener("blur", hide);
    link.addEventListener("click", (event) => {
      if (event.pointerType !== "touch" || touched === link) return;
      event.preventDefault();
      touched = link;
      show(link);
    });
  }
  addEventListener("keydown", (event) => event.key === "Escape" && hide());
})();
