// tap.mjs - results as TAP; the plan comes last, so that who dies has none.
let n = 0, failed = 0;

export function ok(good, what, why = "") {
	n++;
	if (!good) failed++;
	console.log(`${good ? "ok" : "not ok"} ${n} - ${what.replaceAll("#", "")}`);
	if (!good && why) console.log(String(why).slice(0, 1500).replace(/^/gm, "# "));
	return good;
}

export function is(got, wanted, what) {
	return ok(got === wanted, what, `wanted ${JSON.stringify(wanted)}, got ${JSON.stringify(got)}`);
}

// All of a list of faults in one result.
export function none(faults, what) {
	return ok(faults.length === 0, what, faults.join("\n"));
}

export function note(text) {
	console.log(`# ${text} (${Math.round(performance.now() / 1000)} s)`);
}

// Runs a chapter: what it throws is its failure, and the next one is begun.
export async function chapter(what, run) {
	note(what);
	try {
		return await run();
	} catch (error) {
		ok(false, what, error.stack);
		return undefined;
	}
}

export function end() {
	console.log(`1..${n}`);
	return failed === 0 ? 0 : 1;
}
