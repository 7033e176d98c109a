import type { ENTITLEMENT_CODES } from '../codes/entitlements.ts';
import type { Translations } from './translation.ts';

export const ENTITLEMENT_TRANSLATIONS: Translations<keyof typeof ENTITLEMENT_CODES> = {
  MODEL_NOT_IN_PLAN: {
    de: {
      title: 'Modell nicht in Ihrem Tarif',
      sentence:
        '[Das Modell {model} gehört nicht zum Tarif {current_plan}|Das Modell {model} gehört nicht zu Ihrem Tarif|Dieses Modell gehört nicht zu Ihrem Tarif]. [Wechseln Sie zu {upgrade}, um es zu nutzen|Wechseln Sie zu einem Tarif, der es enthält]',
    },
    es: {
      title: 'Modelo no incluido en su plan',
      sentence:
        '[El modelo {model} no forma parte del plan {current_plan}|El modelo {model} no forma parte de su plan|Este modelo no forma parte de su plan]. [Cambie a {upgrade} para usarlo|Cambie a un plan que lo incluya]',
    },
    zh: {
      title: '您的套餐不包含此模型',
      sentence:
        '[{current_plan} 套餐不包含模型 {model}|您的套餐不包含模型 {model}|您的套餐不包含此模型]。[请升级到 {upgrade} 后使用|请升级到包含它的套餐]',
    },
  },
  FEATURE_NOT_IN_PLAN: {
    de: {
      title: 'Funktion nicht in Ihrem Tarif',
      sentence:
        '[Ihr Tarif unterstützt diese Funktion nicht: {feature} gibt es ab dem Tarif {upgrade}|Ihr Tarif unterstützt die Funktion {feature} nicht|Ihr Tarif unterstützt diese Funktion nicht]. [Wechseln Sie zu {upgrade}, um sie zu nutzen|Wechseln Sie zu einem Tarif, der sie enthält]',
    },
    es: {
      title: 'Función no incluida en su plan',
      sentence:
        '[Su suscripción no admite esta función: {feature} requiere una suscripción {upgrade}|Su suscripción no admite la función {feature}|Su suscripción no admite esta función]. [Cambie a {upgrade} para usarla|Cambie a un plan que la incluya]',
    },
    zh: {
      title: '您的套餐不包含此功能',
      sentence:
        '[您的订阅级别不支持此功能：{feature} 需要 {upgrade} 订阅|您的订阅级别不支持功能 {feature}|您的订阅级别不支持此功能]。[请升级到 {upgrade} 后使用|请升级到包含它的套餐]',
    },
  },
  MCP_CONTEXT_LIMIT_EXCEEDED: {
    de: {
      title: 'Kontext größer, als Ihr Tarif erlaubt',
      sentence:
        '[Der Kontext dieser Anfrage ({needed} Tokens) übersteigt die Grenze Ihres Tarifs ({allowed_usage} Tokens)|Der Kontext dieser Anfrage übersteigt die Grenze Ihres Tarifs]. [Wechseln Sie zu {upgrade} oder kürzen Sie die Eingabe|Wechseln Sie zu einem Tarif mit größerem Kontextfenster oder kürzen Sie die Eingabe]',
    },
    es: {
      title: 'Contexto mayor de lo que permite su plan',
      sentence:
        '[El contexto de esta solicitud ({needed} tokens) supera el límite de su plan actual ({allowed_usage} tokens)|El contexto de esta solicitud supera el límite de su plan actual]. [Cambie a {upgrade} o acorte la entrada|Cambie a un plan con una ventana de contexto mayor o acorte la entrada]',
    },
    zh: {
      title: '上下文超过套餐允许的长度',
      sentence:
        '[本次请求的上下文（{needed} 个 Token）超过了您当前套餐的上限（{allowed_usage} 个 Token）|本次请求的上下文超过了您当前套餐的上限]。[请升级到 {upgrade}，或缩短输入|请升级到上下文窗口更大的套餐，或缩短输入]',
    },
  },
  FILE_SIZE_NOT_IN_PLAN: {
    de: {
      title: 'Datei größer, als Ihr Tarif erlaubt',
      sentence:
        '[Die Datei von {needed} ist größer als die {allowed_size} des Tarifs {current_plan}|Die Datei ist größer als die {allowed_size} des Tarifs {current_plan}|Die Datei ist größer als die {allowed_size} Ihres Tarifs|Die Datei ist größer, als Ihr Tarif erlaubt]. [Wechseln Sie zu {upgrade} oder senden Sie eine kleinere Datei|Wechseln Sie zu einem Tarif für größere Dateien oder senden Sie eine kleinere]',
    },
    es: {
      title: 'Archivo mayor de lo que permite su plan',
      sentence:
        '[El archivo de {needed} supera los {allowed_size} del plan {current_plan}|El archivo supera los {allowed_size} del plan {current_plan}|El archivo supera los {allowed_size} de su plan|El archivo es mayor de lo que permite su plan]. [Cambie a {upgrade} o envíe un archivo menor|Cambie a un plan para archivos mayores o envíe uno menor]',
    },
    zh: {
      title: '文件超过套餐允许的大小',
      sentence:
        '[该文件为 {needed}，超过了 {current_plan} 套餐的 {allowed_size} 上限|该文件超过了 {current_plan} 套餐的 {allowed_size} 上限|该文件超过了您套餐的 {allowed_size} 上限|该文件超过了您套餐允许的大小]。[请升级到 {upgrade}，或发送更小的文件|请升级到支持更大文件的套餐，或发送更小的文件]',
    },
  },
  PURCHASE_REQUIRED: {
    de: {
      title: 'Muss erst gekauft werden',
      sentence:
        '[{resource} wird einzeln verkauft und wurde noch nicht gekauft|Dieser Inhalt wird einzeln verkauft und wurde noch nicht gekauft]. [Kaufen Sie den Zugang für {price} und versuchen Sie es erneut|Kaufen Sie den Zugang und versuchen Sie es erneut]',
    },
    es: {
      title: 'Hay que comprarlo antes',
      sentence:
        '[{resource} se vende por separado y no se ha comprado|Este contenido se vende por separado y no se ha comprado]. [Cómprelo por {price} y vuelva a intentarlo|Cómprelo y vuelva a intentarlo]',
    },
    zh: {
      title: '需要先购买',
      sentence:
        '[{resource} 单独出售，尚未购买|此内容单独出售，尚未购买]。[请以 {price} 购买后重试|请购买后重试]',
    },
  },
  MODEL_NOT_AVAILABLE: {
    de: {
      title: 'Modell für Sie nicht verfügbar',
      sentence:
        '[Das Modell {model} ist für dieses Konto nicht freigegeben|Dieses Modell ist für dieses Konto nicht freigegeben], und kein angebotener Tarif enthält es. Nutzen Sie ein anderes Modell oder fragen Sie den Anbieter',
    },
    es: {
      title: 'Modelo no disponible para usted',
      sentence:
        '[El modelo {model} no está abierto a esta cuenta|Este modelo no está abierto a esta cuenta] y ningún plan a la venta lo incluye. Use otro modelo o pregunte al proveedor',
    },
    zh: {
      title: '您无法使用此模型',
      sentence:
        '[此账户不能使用模型 {model}|此账户不能使用该模型]，在售套餐也都不包含它。请使用其他模型，或联系提供方',
    },
  },
  FEATURE_NOT_AVAILABLE: {
    de: {
      title: 'Funktion für Sie nicht verfügbar',
      sentence:
        '[Die Funktion {feature} ist für dieses Konto nicht freigegeben|Diese Funktion ist für dieses Konto nicht freigegeben], und kein angebotener Tarif enthält sie. Fragen Sie den Anbieter',
    },
    es: {
      title: 'Función no disponible para usted',
      sentence:
        '[La función {feature} no está abierta a esta cuenta|Esta función no está abierta a esta cuenta] y ningún plan a la venta la incluye. Pregunte al proveedor',
    },
    zh: {
      title: '您无法使用此功能',
      sentence:
        '[此账户不能使用功能 {feature}|此账户不能使用该功能]，在售套餐也都不包含它。请联系提供方',
    },
  },
  CONTEXT_SIZE_NOT_AVAILABLE: {
    de: {
      title: 'Kontext größer, als jeder Tarif erlaubt',
      sentence:
        '[Der Kontext dieser Anfrage ({needed} Tokens) übersteigt die Grenze Ihres Kontos ({allowed_usage} Tokens)|Der Kontext dieser Anfrage übersteigt die Grenze Ihres Kontos], und kein angebotener Tarif erlaubt mehr. Kürzen Sie die Eingabe oder fragen Sie den Anbieter',
    },
    es: {
      title: 'Contexto mayor de lo que permite cualquier plan',
      sentence:
        '[El contexto de esta solicitud ({needed} tokens) supera el límite de su cuenta ({allowed_usage} tokens)|El contexto de esta solicitud supera el límite de su cuenta] y ningún plan a la venta permite más. Acorte la entrada o pregunte al proveedor',
    },
    zh: {
      title: '上下文超过所有套餐允许的长度',
      sentence:
        '[本次请求的上下文（{needed} 个 Token）超过了您账户的上限（{allowed_usage} 个 Token）|本次请求的上下文超过了您账户的上限]，在售套餐也都不支持更长。请缩短输入，或联系提供方',
    },
  },
  FILE_SIZE_NOT_AVAILABLE: {
    de: {
      title: 'Datei größer, als jeder Tarif erlaubt',
      sentence:
        '[Die Datei von {needed} ist größer als die {allowed_size}, die dieses Konto senden darf|Die Datei ist größer als die {allowed_size}, die dieses Konto senden darf|Die Datei ist größer, als dieses Konto senden darf], und kein angebotener Tarif erlaubt mehr. Senden Sie eine kleinere Datei oder fragen Sie den Anbieter',
    },
    es: {
      title: 'Archivo mayor de lo que permite cualquier plan',
      sentence:
        '[El archivo de {needed} supera los {allowed_size} que esta cuenta puede enviar|El archivo supera los {allowed_size} que esta cuenta puede enviar|El archivo es mayor de lo que esta cuenta puede enviar] y ningún plan a la venta permite más. Envíe un archivo menor o pregunte al proveedor',
    },
    zh: {
      title: '文件超过所有套餐允许的大小',
      sentence:
        '[该文件为 {needed}，超过了此账户的 {allowed_size} 上限|该文件超过了此账户的 {allowed_size} 上限|该文件超过了此账户允许的大小]，在售套餐也都不支持更大。请发送更小的文件，或联系提供方',
    },
  },
};
