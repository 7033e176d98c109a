/** Where a provider says whether it is well, and what its errors mean (DIAG-06, DOC-05). */
export interface ProviderNote {
  /** As it is called in classifications: `openai`. */
  readonly id: string;
  readonly name: string;
  /** Its API is at these hosts, and below them. */
  readonly hosts: readonly string[];
  readonly statusUrl: string | undefined;
  readonly documentationUrl: string | undefined;
}

const PROVIDERS: readonly ProviderNote[] = [
  note(
    'openai',
    'OpenAI',
    ['api.openai.com'],
    'https://status.openai.com',
    'https://platform.openai.com/docs/guides/error-codes',
  ),
  note(
    'anthropic',
    'Anthropic',
    ['api.anthropic.com'],
    'https://status.anthropic.com',
    'https://platform.claude.com/docs/en/api/errors',
  ),
  note(
    'google',
    'Google Gemini',
    [
      'generativelanguage.googleapis.com',
      'aiplatform.googleapis.com',
      'cloudcode-pa.googleapis.com',
    ],
    'https://aistudio.google.com/status',
    'https://ai.google.dev/gemini-api/docs/troubleshooting',
  ),
  note(
    'openrouter',
    'OpenRouter',
    ['openrouter.ai'],
    'https://status.openrouter.ai',
    'https://openrouter.ai/docs/api-reference/errors',
  ),
  note(
    'deepseek',
    'DeepSeek',
    ['api.deepseek.com'],
    'https://status.deepseek.com',
    'https://api-docs.deepseek.com/quick_start/error_codes',
  ),
  note(
    'mistral',
    'Mistral',
    ['api.mistral.ai'],
    'https://status.mistral.ai',
    'https://docs.mistral.ai',
  ),
  note(
    'cohere',
    'Cohere',
    ['api.cohere.com', 'api.cohere.ai'],
    'https://status.cohere.com',
    'https://docs.cohere.com/reference/errors',
  ),
  note(
    'together',
    'Together',
    ['api.together.xyz', 'api.together.ai'],
    'https://status.together.ai',
    'https://docs.together.ai/docs/error-codes',
  ),
  note(
    'fireworks',
    'Fireworks',
    ['api.fireworks.ai'],
    'https://status.fireworks.ai',
    'https://docs.fireworks.ai/guides/inference-error-codes',
  ),
  note(
    'xai',
    'xAI',
    ['api.x.ai'],
    'https://status.x.ai',
    'https://docs.x.ai/docs/key-information/debugging',
  ),
  note(
    'groq',
    'Groq',
    ['api.groq.com'],
    'https://groqstatus.com',
    'https://console.groq.com/docs/errors',
  ),
  note(
    'azure',
    'Azure OpenAI',
    ['openai.azure.com'],
    'https://azure.status.microsoft/en-us/status',
    'https://learn.microsoft.com/en-us/azure/ai-services/openai/quotas-limits',
  ),
  note(
    'bedrock',
    'Amazon Bedrock',
    ['amazonaws.com'],
    'https://health.aws.amazon.com/health/status',
    'https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html',
  ),
  note(
    'huggingface',
    'Hugging Face',
    ['router.huggingface.co', 'api-inference.huggingface.co'],
    'https://status.huggingface.co',
    'https://huggingface.co/docs/inference-providers',
  ),
  note(
    'perplexity',
    'Perplexity',
    ['api.perplexity.ai'],
    'https://status.perplexity.com',
    'https://docs.perplexity.ai',
  ),
  note(
    'replicate',
    'Replicate',
    ['api.replicate.com'],
    'https://www.replicatestatus.com',
    'https://replicate.com/docs',
  ),
  note(
    'stability',
    'Stability AI',
    ['api.stability.ai'],
    undefined,
    'https://platform.stability.ai/docs',
  ),
  note(
    'elevenlabs',
    'ElevenLabs',
    ['api.elevenlabs.io'],
    'https://status.elevenlabs.io',
    'https://elevenlabs.io/docs/developers/resources/error-messages',
  ),
  note(
    'moonshot',
    'Moonshot',
    ['api.moonshot.ai', 'api.moonshot.cn'],
    undefined,
    'https://platform.moonshot.ai/docs',
  ),
  note('zhipu', 'Zhipu', ['open.bigmodel.cn', 'api.z.ai'], undefined, 'https://docs.bigmodel.cn'),
  note(
    'dashscope',
    'DashScope',
    ['dashscope.aliyuncs.com', 'dashscope-intl.aliyuncs.com'],
    undefined,
    'https://help.aliyun.com/zh/model-studio/error-code',
  ),
  note(
    'minimax',
    'MiniMax',
    ['api.minimax.io', 'api.minimax.chat'],
    undefined,
    'https://platform.minimax.io/docs',
  ),
  note('novita', 'Novita', ['api.novita.ai'], undefined, 'https://novita.ai/docs'),
  note(
    'siliconflow',
    'SiliconFlow',
    ['api.siliconflow.cn', 'api.siliconflow.com'],
    undefined,
    'https://docs.siliconflow.com',
  ),
  note(
    'volcengine',
    'Volcengine Ark',
    ['ark.cn-beijing.volces.com'],
    undefined,
    'https://www.volcengine.com/docs/82379',
  ),
];

/** The provider with that id or name, or whose API a URL belongs to; undefined = none we know. */
export function findProvider(nameOrUrl: string): ProviderNote | undefined {
  const wanted = nameOrUrl.toLowerCase();
  const host = hostOf(wanted);
  return PROVIDERS.find(
    ({ id, name, hosts }) =>
      id === wanted ||
      name.toLowerCase() === wanted ||
      hosts.some((each) => host === each || host?.endsWith(`.${each}`) === true),
  );
}

function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}

function note(
  ...[id, name, hosts, statusUrl, documentationUrl]: [
    string,
    string,
    readonly string[],
    string | undefined,
    string | undefined,
  ]
): ProviderNote {
  return { id, name, hosts, statusUrl, documentationUrl };
}
