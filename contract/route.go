package contract

// Route is one operation of the HTTP API. The OpenAPI document and the
// handler are both built from [Routes], so neither can know a route that the
// other does not.
type Route struct {
	Method    string // HTTP method
	Path      string // path, with {name} for a variable segment
	Operation string // OpenAPI operationId, and the key of its handler
	Summary   string // one line for the published API reference
	Function  string // which function serves it
	Public    bool   // needs no credential
}

// Operations of the API.
const (
	OpChatCompletions = "createChatCompletion"
	OpEmbeddings      = "createEmbedding"
	OpListModels      = "listModels"
	OpGetModel        = "retrieveModel"
	OpHealth          = "getHealth"
)

// Routes is the whole API.
var Routes = []Route{
	{Method: "POST", Path: "/v1/chat/completions", Operation: OpChatCompletions,
		Summary: "Answer a chat, streamed or whole", Function: FunctionInvoker},
	{Method: "POST", Path: "/v1/embeddings", Operation: OpEmbeddings,
		Summary: "Turn texts into vectors", Function: FunctionInvoker},
	{Method: "GET", Path: "/v1/models", Operation: OpListModels,
		Summary: "List the models of this stack", Function: FunctionInvoker},
	{Method: "GET", Path: "/v1/models/{model}", Operation: OpGetModel,
		Summary: "Describe one model", Function: FunctionInvoker},
	{Method: "GET", Path: HealthPath, Operation: OpHealth,
		Summary: "Tell whether this region's API and functions run", Function: FunctionHealth, Public: true},
}
