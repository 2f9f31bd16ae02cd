"use strict";
// Sends the request of the form to the model and shows the response. Values from the response are
// only added as text, so that they need no escaping.
(() => {
  const MOST_BARS = 10;
  const MOST_VALUES = 12;
  const LONG = 20000; // characters; longer requests are no part of the command

  const form = document.getElementById("try");
  const answer = document.getElementById("answer");
  const command = document.getElementById("curl");
  const copy = document.getElementById("copy");
  const request = document.getElementById("request");
  const button = form.querySelector("button");
  const url = new URL(form.dataset.path, document.baseURI).href;

  // JSON is formatted by hand: an integer may have more digits than a number in JavaScript.
  const literal = (field) => {
    const kind = field.dataset.kind;
    if (kind === "boolean") return field.value;
    if (field.value.trim() === "") return "null";
    if (kind === "text") return JSON.stringify(field.value);
    const text = field.value.trim();
    return /^-?\d+$/.test(text) ? String(BigInt(text)) : String(Number(text));
  };

  const zeros = (tensor) => {
    const size = tensor.shape.reduce((product, extent) => product * extent, 1);
    const zero = { BYTES: "", BOOL: false }[tensor.datatype] ?? 0;
    return { ...tensor, data: Array(size).fill(zero) };
  };

  const body = () => {
    if (!request) {
      const pairs = [...form.querySelectorAll("[data-kind]")].map(
        (field) => `${JSON.stringify(field.name)}: ${literal(field)}`,
      );
      return `{"instances": [{${pairs.join(", ")}}]}`;
    }
    const text = request.value;
    const parsed = JSON.parse(text);
    const isWithoutData = (tensor) => Array.isArray(tensor?.shape) && tensor.data === undefined;
    if (!Array.isArray(parsed?.inputs) || !parsed.inputs.some(isWithoutData)) return text;
    return JSON.stringify({
      ...parsed,
      inputs: parsed.inputs.map((tensor) => (isWithoutData(tensor) ? zeros(tensor) : tensor)),
    });
  };

  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

  const showCommand = () => {
    try {
      const data = body();
      const argument = data.length > LONG ? "@request.json" : quoted(data);
      command.textContent = `curl ${/^[\w:/.%~-]+$/.test(url) ? url : quoted(url)} -d ${argument}`;
    } catch {
      // The JSON is incomplete: keep the command.
    }
  };

  const make = (name, className, ...children) => {
    const element = document.createElement(name);
    if (className) element.className = className;
    element.append(...children);
    return element;
  };

  const bars = (probabilities, label) => {
    const sorted = Object.entries(probabilities).sort((a, b) => b[1] - a[1]);
    const rows = sorted.slice(0, MOST_BARS).map(([name, share]) => {
      const fill = make("div", "fill");
      fill.style.width = `${(share ?? 0) * 100}%`;
      const title = make("span", "name", name);
      title.title = name;
      const text = share === null ? "none" : `${(share * 100).toFixed(1)} %`;
      const className = name === String(label) ? "best" : "";
      return make("li", className, title, make("div", "track", fill), make("span", "share", text));
    });
    const list = make("ol", "bars", ...rows);
    list.setAttribute("aria-label", "Probabilities");
    const more = sorted.length - rows.length;
    return more > 0 ? [list, make("p", "faint", `and ${more} more classes`)] : [list];
  };

  const brief = (value) => {
    const values = [value].flat(Infinity);
    const shown = values.slice(0, MOST_VALUES).map((each) => JSON.stringify(each)).join(", ");
    return values.length > MOST_VALUES ? `${shown}, … (${values.length} values)` : shown;
  };

  const facts = (pairs) =>
    make(
      "dl",
      "",
      ...pairs.flatMap(([name, value]) => [
        make("dt", "", name),
        make("dd", "", make("code", "", value)),
      ]),
    );

  const results = (response) => {
    const first = response.predictions?.[0];
    const parts = [];
    if (first?.probabilities) {
      parts.push(
        make("p", "faint", "Label"),
        make("p", "label", String(first.label)),
        ...bars(first.probabilities, first.label),
      );
    } else if (first?.prediction !== undefined) {
      parts.push(make("p", "faint", "Prediction"), make("p", "label", String(first.prediction)));
    } else if (first) {
      parts.push(facts(Object.entries(first.outputs).map(([name, v]) => [name, brief(v)])));
    }
    if (response.predictions?.length > 1) {
      parts.push(make("p", "faint", `and ${response.predictions.length - 1} more rows`));
    }
    if (response.outputs) {
      parts.push(
        facts(
          response.outputs.map((tensor) => [
            `${tensor.name} ${tensor.datatype} [${tensor.shape.join(", ")}]`,
            brief(tensor.data),
          ]),
        ),
      );
    }
    return parts;
  };

  const show = (isError, ...children) => {
    answer.className = isError ? "wrong" : "done";
    answer.replaceChildren(...children);
  };

  const send = async () => {
    let data;
    try {
      data = body();
    } catch (error) {
      show(true, make("p", "wrong", `The request is not valid JSON: ${error.message}`));
      return;
    }
    const start = performance.now();
    let response;
    let text;
    try {
      const headers = { "content-type": "application/json" };
      response = await fetch(url, { method: "POST", headers, body: data });
      text = await response.text();
    } catch (error) {
      show(true, make("p", "wrong", `The server did not answer: ${error.message}`));
      return;
    }
    const took = `${(performance.now() - start).toFixed(1)} ms round trip`;
    let result = null;
    try {
      result = JSON.parse(text);
    } catch {
      // A proxy answered with something else than JSON.
    }
    const raw = make("details", "", make("summary", "", "Response body"));
    raw.append(make("pre", "", make("code", "", text)));
    if (!response.ok || result === null) {
      const problem = result?.error ?? `status ${response.status}`;
      show(true, make("p", "wrong", problem), make("p", "faint", `Status ${response.status}`), raw);
      return;
    }
    show(false, ...results(result), make("p", "faint", took), raw);
  };

  form.addEventListener("input", showCommand);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    await send();
    button.disabled = false;
  });
  if (navigator.clipboard) {
    copy.hidden = false;
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(command.textContent);
      copy.textContent = "Copied";
    });
  }
  button.disabled = false;
  showCommand();
})();
