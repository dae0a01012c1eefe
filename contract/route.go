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
	Inference bool   // a model answers
}

// Operations of the API.
const (
	OpChatCompletions    = "createChatCompletion"
	OpCreateResponse     = "createResponse"
	OpGetResponse        = "retrieveResponse"
	OpDeleteResponse     = "deleteResponse"
	OpListInputItems     = "listInputItems"
	OpCreateConversation = "createConversation"
	OpGetConversation    = "retrieveConversation"
	OpUpdateConversation = "updateConversation"
	OpDeleteConversation = "deleteConversation"
	OpCreateItems        = "createConversationItems"
	OpListItems          = "listConversationItems"
	OpGetItem            = "retrieveConversationItem"
	OpDeleteItem         = "deleteConversationItem"
	OpListModels         = "listModels"
	OpGetModel           = "retrieveModel"
	OpHealth             = "getHealth"
	OpEmbeddings         = "createEmbedding"
)

// Routes is the whole API.
var Routes = []Route{
	{Method: "POST", Path: "/v1/chat/completions", Operation: OpChatCompletions,
		Summary: "Answer a chat, streamed or whole", Function: FunctionInvoker, Inference: true},
	{Method: "POST", Path: "/v1/responses", Operation: OpCreateResponse,
		Summary: "Create a response, streamed or whole, that goes on from an earlier one or a conversation", Function: FunctionInvoker, Inference: true},
	{Method: "GET", Path: "/v1/responses/{response_id}", Operation: OpGetResponse,
		Summary: "Retrieve a stored response", Function: FunctionInvoker},
	{Method: "DELETE", Path: "/v1/responses/{response_id}", Operation: OpDeleteResponse,
		Summary: "Delete a stored response, and with it all that goes on from it", Function: FunctionInvoker},
	{Method: "GET", Path: "/v1/responses/{response_id}/input_items", Operation: OpListInputItems,
		Summary: "List the input of a stored response", Function: FunctionInvoker},
	{Method: "POST", Path: "/v1/conversations", Operation: OpCreateConversation,
		Summary: "Create a conversation", Function: FunctionInvoker},
	{Method: "GET", Path: "/v1/conversations/{conversation_id}", Operation: OpGetConversation,
		Summary: "Retrieve a conversation", Function: FunctionInvoker},
	{Method: "POST", Path: "/v1/conversations/{conversation_id}", Operation: OpUpdateConversation,
		Summary: "Replace the metadata of a conversation", Function: FunctionInvoker},
	{Method: "DELETE", Path: "/v1/conversations/{conversation_id}", Operation: OpDeleteConversation,
		Summary: "Delete a conversation with its items", Function: FunctionInvoker},
	{Method: "POST", Path: "/v1/conversations/{conversation_id}/items", Operation: OpCreateItems,
		Summary: "Add items to a conversation", Function: FunctionInvoker},
	{Method: "GET", Path: "/v1/conversations/{conversation_id}/items", Operation: OpListItems,
		Summary: "List the items of a conversation, page by page", Function: FunctionInvoker},
	{Method: "GET", Path: "/v1/conversations/{conversation_id}/items/{item_id}", Operation: OpGetItem,
		Summary: "Retrieve an item of a conversation", Function: FunctionInvoker},
	{Method: "DELETE", Path: "/v1/conversations/{conversation_id}/items/{item_id}", Operation: OpDeleteItem,
		Summary: "Delete an item of a conversation", Function: FunctionInvoker},
	{Method: "POST", Path: "/v1/embeddings", Operation: OpEmbeddings,
		Summary: "Turn texts into vectors", Function: FunctionInvoker, Inference: true},
	{Method: "GET", Path: "/v1/models", Operation: OpListModels,
		Summary: "List the models of this stack", Function: FunctionInvoker},
	{Method: "GET", Path: "/v1/models/{model}", Operation: OpGetModel,
		Summary: "Describe one model", Function: FunctionInvoker},
	{Method: "GET", Path: HealthPath, Operation: OpHealth,
		Summary: "Tell whether this region's API and functions run", Function: FunctionHealth, Public: true},
}
