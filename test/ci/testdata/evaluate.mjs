// Evaluates GitHub's expressions with GitHub's own library: from stdin [{"expr": "…", "contexts": {"github": {…}}}], to stdout a list of
// booleans. The argument is the library's directory.
import { pathToFileURL } from "node:url";
import { readFileSync } from "node:fs";

const { Parser, Lexer, Evaluator, data } = await import(pathToFileURL(process.argv[2] + "/dist/index.js"));
const results = JSON.parse(readFileSync(0, "utf8")).map(({ expr, contexts }) => {
  const tree = new Parser(new Lexer(expr).lex().tokens, Object.keys(contexts), []).parse();
  const values = JSON.parse(JSON.stringify(contexts), data.reviver);
  const value = new Evaluator(tree, values).evaluate();
  return !["false", "0", "", "null"].includes(value.coerceString());
});
console.log(JSON.stringify(results));
