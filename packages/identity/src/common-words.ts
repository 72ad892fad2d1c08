// The words that most passwords of the leaked kind are made of, in lower case: facts, grouped by what they are.
//
// A password made of these and of digits and signs alone is among the first that anybody tries.

const groups = [
  // The thing itself, and what people write where one is asked for.
  'password passwort passwd passphrase pass kennwort contrasena contraseña motdepasse senha parola salasana wachtwoord',
  'losenord пароль secret geheim private access login logon signin enter open default change changeme temp temporary',
  'test testing tester guest user username admin administrator root superuser sysadmin manager master owner system',
  'server computer internet network windows microsoft google apple samsung android iphone facebook instagram twitter',
  'letmein letme welcome willkommen bienvenue bienvenido hello hallo hola bonjour goodbye please trustno trustnoone',
  // Walks over a keyboard.
  'qwertyuiop qwerty qwertz qwertzuiop azerty azertyuiop asdfghjkl asdfgh asdf zxcvbnm zxcvbn zxcv yxcvbnm qwer qaz',
  'wsx edc qazwsx qazwsxedc 1qaz 2wsx 3edc 1q2w3e4r5t 1q2w3e4r 1q2w3e q1w2e3r4 q1w2e3 qweasd qweasdzxc asdzxc йцукен',
  'abcdef abcdefgh abcd abc aabbcc abcabc xyz zaq xsw zaqxsw poiuytrewq lkjhgfdsa mnbvcxz 12345 123qwe qwe asd zxc',
  // The year.
  'january february march april may june july august september october november december spring summer autumn fall',
  'winter monday tuesday wednesday thursday friday saturday sunday birthday christmas easter halloween holiday vacation',
  // Love, people and other animals.
  'iloveyou iloveu ilove loveyou loveme lovely lover love forever family mother father mommy daddy sister brother baby',
  'babygirl angel princess prince queen king sweetheart honey sugar cookie chocolate butterfly flower sunshine rainbow',
  'michael jennifer jessica ashley daniel andrew joshua matthew charlie thomas jordan robert anthony nicole michelle',
  'george william maria amanda samantha hannah maggie buster bailey ginger pepper monkey dragon tiger lion eagle falcon',
  'dolphin panther bear wolf horse puppy kitty kitten shadow midnight diamond silver golden purple orange banana cherry',
  // Play.
  'football baseball basketball soccer hockey golf tennis liverpool chelsea arsenal barcelona yankees cowboys lakers',
  'steelers superman batman spiderman pokemon starwars matrix hunter ranger killer ninja warrior wizard phoenix thunder',
  'corvette mustang ferrari porsche mercedes harley yamaha freedom whatever nothing blessed jesus christ heaven money',
  // Where this service is used.
  'hospital clinic medical medicine doctor nurse patient health healthcare pharmacy surgery emergency voicemail',
  'recording telephone phone office company business work staff reception security america canada london texas',
]

export const commonWords: readonly string[] = groups.flatMap(group => group.split(' '))
