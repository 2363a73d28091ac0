#!/usr/bin/env node
// Puts the same questions to the server at --base, one after the other, and tells what it answered to each: what two
// servers say is compared by whoever runs this against both.
import { options, report } from "../clients/report.mjs";
import { Asker, summary } from "./asker.mjs";
import { authorize } from "./authorize.mjs";
import { backchannel } from "./backchannel.mjs";
import { certificates } from "./certificates.mjs";
import { more } from "./more.mjs";
import { others } from "./others.mjs";
import { tokens } from "./token.mjs";

await report(async seen => {
  const at = await Asker.of(options());
  seen.answers = {};
  const questions = { ...authorize, ...tokens, ...others, ...backchannel, ...certificates, ...more };
  for (const [name, ask] of Object.entries(questions)) {
    const answer = await ask(at);
    seen.answers[name] = answer instanceof Response ? await summary(answer) : { members: answer };
  }
});
